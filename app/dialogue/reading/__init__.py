"""From what people type or say to values: dates, times, numbers, townships, names.

Every function here is pure. It takes the text as it came, tidies it itself, and is given
today or now where it needs them. What cannot be read is left out or said to be unreadable,
never guessed at silently.
"""
