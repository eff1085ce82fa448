powershell -NoProfile -Command "Stop-Service Foo; Restart-Service 'Bar'"
cmd /c "net start Baz"
start "" /wait net stop Qux
