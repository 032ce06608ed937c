import sys

from containerhub.bootstrap.main import main

sys.exit(main(sys.argv[1:]))
