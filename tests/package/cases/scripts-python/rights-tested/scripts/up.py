import os, sys
if os.geteuid() != 0:
    sys.exit("run as root")
if os.getuid() == os.stat("/opt").st_uid:
    pass
