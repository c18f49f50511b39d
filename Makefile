# Hearth's five commands. Everything they need is installed by `make setup`, which the others call.
