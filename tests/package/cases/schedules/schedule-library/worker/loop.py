import schedule
import time

def purge():
    pass

schedule.every().day.at("03:45").do(purge)
schedule.every(10).minutes.do(purge)
schedule.every().monday.at("05:00", "UTC").do(purge)
schedule.every().sunday.do(purge)
while True:
    schedule.run_pending()
    time.sleep(1)
