$svc = Get-WmiObject Win32_Service -Filter "Name='LedgerSvc'"
$svc.StopService()
(Get-CimInstance Win32_Service -Filter "Name='LedgerMail'") | Invoke-CimMethod -MethodName StopService
(Get-WmiObject Win32_OperatingSystem).Win32Shutdown(6)
