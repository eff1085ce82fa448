# installs the collector
schtasks /Create /SC DAILY /ST 03:00 /TN AppSync /TR "C:\App\sync.bat"
$p = ConvertTo-SecureString 'Collector!2026' -AsPlainText -Force
Write-Host "Restart-Computer is not needed"
