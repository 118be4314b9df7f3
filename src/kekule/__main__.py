"""``python -m kekule`` is ``kekule``."""

from kekule.cli import main

if __name__ == "__main__":
    main()
