Install-WindowsFeature -Name Web-Server -IncludeManagementTools
Install-Module -Name SqlServer -RequiredVersion 22.1.1 -Force
Install-Module Pester
