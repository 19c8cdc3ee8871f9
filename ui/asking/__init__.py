"""What the Ask screen reads from a browser and shows in it.

    reading.py     media, question, options and seed as a person gave them
    shown.py       an attempt, under way or kept, as the values of the components; pure but for the store
    sureness.py    how sure an answer is, measured against what its model reaches in its own world
    routes.py      what the page asks beside Gradio: my questions, what the model was told, leaving
    client/        the ES modules of the screen

Not covered: the loop in its thread (`ui.answering`), layout and events (`ui.ask`).
"""
