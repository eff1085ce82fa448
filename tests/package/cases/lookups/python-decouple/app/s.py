from decouple import config
A = config("DATABASE_URL")
B = config("TIMEOUT", default=30, cast=int)
