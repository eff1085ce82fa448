#!/bin/sh
crontab -u app app.crontab
