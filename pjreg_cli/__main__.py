"""`python -m pjreg_cli`."""

from __future__ import annotations

from pjreg_cli.entry import end, main

if __name__ == "__main__":
    end(main())
