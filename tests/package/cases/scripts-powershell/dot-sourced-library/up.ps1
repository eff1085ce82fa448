. "$PSScriptRoot\lib.ps1"
Stop-It $ServiceName
