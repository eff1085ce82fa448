$p = Start-Process msiexec.exe -ArgumentList '/i', 'app.msi', '/qn', '/norestart' -Wait -PassThru
if ($p.ExitCode -eq 3010) { exit 3010 }
