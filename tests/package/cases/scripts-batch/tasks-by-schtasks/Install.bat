schtasks /create /tn "Ledger\Poll" /tr "C:\Ledger\poll.exe --once" /sc minute /mo 10 /ru SYSTEM /f
schtasks /create /tn LedgerBoot /tr C:\Ledger\boot.cmd /sc onstart /delay 0005:00 /ru SYSTEM
schtasks /create /tn LedgerDay /tr C:\Ledger\day.cmd /sc daily /st 06:00 /ri 30 /du 0012:00
schtasks /change /tn LedgerOld /disable
schtasks /delete /tn LedgerOlder /f
schtasks /run /tn LedgerDay
schtasks /create /xml "%~dp0task.xml" /tn LedgerXml
