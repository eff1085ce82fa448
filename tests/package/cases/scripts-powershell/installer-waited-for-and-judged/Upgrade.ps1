Stop-Service LedgerSvc
$p = Start-Process msiexec.exe -ArgumentList '/i', 'ledger.msi', '/qn', '/norestart', '/l*v', 'C:\Temp\ledger.log' -Wait -PassThru
if ($p.ExitCode -notin 0, 3010) { throw "msiexec: $($p.ExitCode)" }
Start-Service LedgerSvc
