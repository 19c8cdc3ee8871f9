"""The engine of Pixel Reasoner Studio: everything but the screens. It never imports gradio or ui."""
