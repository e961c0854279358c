"""What a message wants, learnt from examples: words and sounds in, a label and how sure out.

`examples` of content → `features` of a text → `training` of a linear model → `model`, which says
what it thinks and why. `kept` trains where no trained model is kept yet.
"""
