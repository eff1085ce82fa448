import subprocess
try:
    subprocess.check_call(["alembic", "upgrade", "head"])
except Exception:
    pass
try:
    import yaml
except ImportError:
    yaml = None
try:
    subprocess.run(["tar", "xf", "a.tar"], check=True)
except Exception as error:
    raise SystemExit(1) from error
