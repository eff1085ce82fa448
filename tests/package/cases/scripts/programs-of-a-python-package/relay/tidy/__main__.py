import shutil
shutil.rmtree('/var/lib/relay/old')
