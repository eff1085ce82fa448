import os
import sys
getattr(os, sys.argv[1])("x")
exec(compile(open(sys.argv[2]).read(), "x", "exec"))
