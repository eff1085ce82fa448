import subprocess as sp

def restart(unit, action="restart"):
    sp.check_call(["systemctl", action, unit])

restart("web")
restart("worker", action="stop")
