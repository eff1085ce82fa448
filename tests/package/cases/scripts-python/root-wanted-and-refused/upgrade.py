import os
import sys
if os.geteuid() != 0:
    sys.exit('run it as root')
