"""The process of one mutant that is planted at import: started by a campaign, not by hand."""

import sys

from tests.mutants.campaign import try_in_this_process

if __name__ == "__main__":
    sys.exit(try_in_this_process())
