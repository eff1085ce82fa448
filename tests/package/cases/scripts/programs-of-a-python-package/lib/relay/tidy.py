import os
os.system('rm -rf /opt/else')
