try { Stop-Service AppSvc -ErrorAction Stop } catch { }
Copy-Item app.exe C:\App -ErrorAction SilentlyContinue
Get-Item x -ErrorAction SilentlyContinue
