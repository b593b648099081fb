"""`python -m service` is `monitord`."""

import sys

from service.cli import main

sys.exit(main())
