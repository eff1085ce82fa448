param([string] $InstallDir)
Remove-Item "$InstallDir\*" -Recurse -Force
$data = $env:LEDGER_DATA
Remove-Item "$data\cache" -Recurse -Force
if ($data) { Remove-Item "$data\log" -Recurse -Force }
