"""The drawn world: signs in scenes and clips, and the paper's benchmarks in miniature, each picture from one seed.

`assets/` holds the fonts and photographs. Drawing needs Pillow and NumPy only, never torch.
"""
