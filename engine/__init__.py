"""The engine of Pixel Reasoner Studio: everything but the screens. It never imports gradio or ui."""

__all__ = ["__version__"]

__version__ = "0.3.0"
"""The only place of the version: packaging, the command line and the changelog's test read it here."""
