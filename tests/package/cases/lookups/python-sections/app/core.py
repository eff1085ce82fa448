from app.configuration import conf
a = conf.getboolean("core", "fast", fallback=False)
b = conf.get("database", "pool", fallback=fallback)
c = options.get("first", "second")
d = conf.getint("core", "workers")
