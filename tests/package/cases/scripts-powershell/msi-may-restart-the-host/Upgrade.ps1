$p = Start-Process msiexec.exe -ArgumentList '/i ledger.msi /quiet' -Wait -PassThru
$q = Start-Process "$PSScriptRoot\vc_redist.x64.exe" -ArgumentList '/install', '/quiet' -Wait -PassThru
exit ($p.ExitCode -bor $q.ExitCode)
