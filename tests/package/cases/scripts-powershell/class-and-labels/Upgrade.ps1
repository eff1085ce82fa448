using namespace System.IO
enum Mode { Fresh; Upgrade }
class Step {
    [string] $Name
    Step([string] $name) { $this.Name = $name }
    [void] Run() { Restart-Service $this.Name }
}
:outer foreach ($name in 'LedgerSvc', 'LedgerMail') {
    if ($name -eq 'none') { break outer }
    Restart-Service -Name $name
}
$x = $env:LEDGER_HOME ?? 'C:\Ledger'
Restart-Service LedgerLast
