"""The components that screens are made of: each a gr.HTML subclass in NAME.py, with NAME.html, NAME.js and NAME.css beside
it.

`component.StudioComponent` says how one works. A component's docstring gives the format of its value;
`ui.trace_values` makes these values from traces. To add one, write the four files; the style sheet finds the .css by itself.

Components of one page talk through two document events, so that a box, a crop, a frame and a card light up together:

    studio:step   detail {"step": index or null}   somebody points at the step (hover or focus), or at none
    studio:frame  detail {"media": index, "frame": k}   somebody chose a frame to look at
"""
