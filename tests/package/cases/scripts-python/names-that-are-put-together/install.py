import os
import builtins
import importlib
getattr(os, "sys" + "tem")("systemctl restart relay-a")
run = getattr(importlib.import_module("sub" + "process"), "check_call")
run(["systemctl", "restart", "relay-b"])
__import__("o" + "s").system("systemctl restart relay-c")
os.__dict__["system"]("systemctl restart relay-d")
vars(os)["sys" "tem"]("systemctl restart relay-e")
getattr(builtins, "ex" + "ec")("import os; os.system('systemctl restart relay-f')")
globals()["__builtins__"].eval("os.system('systemctl restart relay-g')")
