import schedule
from shell import tool

tool.every.thing.do("now")
client.job("x").do(1)
