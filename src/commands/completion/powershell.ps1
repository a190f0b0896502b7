# Completion of PROGRAM for PowerShell: PROGRAM completion powershell | Out-String | Invoke-Expression

Register-ArgumentCompleter -Native -CommandName 'PROGRAM' -ScriptBlock {
    param($last, $tree, $cursor)
    # The words before the cursor; a new one begins where nothing is typed yet.
    $words = @($tree.CommandElements |
        Where-Object { $_.Extent.StartOffset -lt $cursor } |
        ForEach-Object { "$_" } |
        Select-Object -Skip 1)
    if ($last -eq '') { $words += '' }
    # An empty argument is lost on its way to a program before PowerShell 7.3.
    $empty = if ($PSVersionTable.PSVersion -lt [version]'7.3') { '""' } else { '' }
    $words = @($words | ForEach-Object { if ($_ -eq '') { $empty } else { $_ } })
    $lines = @(& 'PROGRAM' __complete @words 2>$null)
    if ($lines.Count -eq 0) { return }
    $directive = [int]($lines[-1].TrimStart(':'))
    $lines = @($lines | Select-Object -SkipLast 1)
    $kept = ''
    $value = "$last"
    if ($value -match '^(-[^=]*=)(.*)$') { $kept = $Matches[1]; $value = $Matches[2] }
    if ($directive -eq 8 -or $directive -eq 16) {
        Get-ChildItem -Path "$value*" -ErrorAction SilentlyContinue |
            Where-Object { $_.PSIsContainer -or ($directive -eq 8 -and $lines -contains $_.Extension.TrimStart('.')) } |
            ForEach-Object {
                $path = Resolve-Path -Relative $_.FullName
                [System.Management.Automation.CompletionResult]::new("$kept$path", $_.Name, 'ProviderItem', $_.FullName)
            }
        return
    }
    foreach ($line in $lines) {
        $name, $about = $line -split "`t", 2
        if (-not $name -or -not $name.StartsWith($value)) { continue }
        if (-not $about) { $about = $name }
        [System.Management.Automation.CompletionResult]::new("$kept$name", $name, 'ParameterValue', $about)
    }
}
