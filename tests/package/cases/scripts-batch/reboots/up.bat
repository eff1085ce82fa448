shutdown /r /t 60 /c "upgrade"
