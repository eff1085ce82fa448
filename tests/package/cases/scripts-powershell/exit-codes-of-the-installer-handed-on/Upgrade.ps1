$rc = (Start-Process msiexec.exe -ArgumentList '/i ledger.msi /qn REBOOT=ReallySuppress' -Wait -PassThru).ExitCode
switch ($rc) {
    0    { exit 0 }
    1641 { exit 1641 }
    3010 { [Environment]::Exit(3010) }
    default { exit $rc }
}
