reg add HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Run /v App /d C:\App\a.exe /f
reg delete HKLM\SOFTWARE\Vendor\Old /f
sc config AppSvc start= disabled
nssm install AppNew C:\App\a.exe
taskkill /f /im old.exe
