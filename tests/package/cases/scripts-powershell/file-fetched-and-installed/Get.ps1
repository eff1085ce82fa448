$msi = "$env:TEMP\agent.msi"
Invoke-WebRequest -Uri 'https://dl.ledger.example/agent.msi' -OutFile $msi -UseBasicParsing
Start-Process msiexec.exe -ArgumentList "/i `"$msi`" /qn /norestart" -Wait
Start-BitsTransfer -Source 'http://dl.ledger.example/tool.exe' -Destination 'C:\Ledger\tool.exe'
& 'C:\Ledger\tool.exe' --register
