"""A few rows asked at once, to see what a prompt and a model make of them: nothing is written."""
