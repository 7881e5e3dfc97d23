; SPDX-License-Identifier: Apache-2.0
; Installer of crossroot for Windows, for every user of a machine. packaging/nsis/build makes it, with
;   VERSION  that of CMakeLists.txt
;   INPUT    the directory with the files to install
;   OUTPUT   the installer to write
; /S asks nothing; /D=DIRECTORY, as the last argument, installs elsewhere.
Unicode true
Target amd64-unicode
!include MUI2.nsh
!include LogicLib.nsh

Name crossroot
OutFile "${OUTPUT}"
SetCompressor /SOLID lzma
RequestExecutionLevel admin
ManifestSupportedOS Win10
ManifestDPIAware true
AllowSkipFiles off
ShowInstDetails show
ShowUninstDetails show
BrandingText "crossroot ${VERSION}"
!define UNINSTALL "Software\Microsoft\Windows\CurrentVersion\Uninstall\crossroot"
InstallDir "$PROGRAMFILES64\crossroot"
InstallDirRegKey HKLM "${UNINSTALL}" InstallLocation

!define MUI_ABORTWARNING
!define MUI_UNCONFIRMPAGE_TEXT_TOP $(Leave)
!insertmacro MUI_PAGE_DIRECTORY
!insertmacro MUI_PAGE_INSTFILES
!insertmacro MUI_UNPAGE_CONFIRM
!insertmacro MUI_UNPAGE_INSTFILES
; The first is for every other language of Windows.
!insertmacro MUI_LANGUAGE English
!insertmacro MUI_LANGUAGE Japanese

LangString About ${LANG_ENGLISH} "CA certificates in every trust store of a machine"
LangString About ${LANG_JAPANESE} "CA 証明書を証明書ストアの正しい場所に入れるコマンド"
LangString Leave ${LANG_ENGLISH} "The program will be removed. Certificates stay as they are, and so does the record of changes. To take a change back, run $\"crossroot undo$\" first."
LangString Leave ${LANG_JAPANESE} "プログラムを削除します。証明書ストアの内容と変更の記録はそのまま残ります。変更を元に戻すには、先に「crossroot undo」を実行してください。"
LangString Old ${LANG_ENGLISH} "crossroot needs Windows 10, Windows Server 2016 or newer."
LangString Old ${LANG_JAPANESE} "crossroot には Windows 10 または Windows Server 2016 以降が必要です。"
LangString NoPath ${LANG_ENGLISH} "The variable Path of this machine is too long or cannot be changed, and was left as it is. Add this directory to it yourself:"
LangString NoPath ${LANG_JAPANESE} "システム環境変数 Path が長すぎるか、変更できないため、Path は変更していません。次のフォルダーを手動で追加してください。"
LangString InUse ${LANG_ENGLISH} "crossroot.exe is running. End it, then try again."
LangString InUse ${LANG_JAPANESE} "crossroot.exe が実行中です。終了してから、もう一度お試しください。"

VIProductVersion "${VERSION}.0"
VIAddVersionKey /LANG=${LANG_ENGLISH} ProductName crossroot
VIAddVersionKey /LANG=${LANG_ENGLISH} ProductVersion "${VERSION}"
VIAddVersionKey /LANG=${LANG_ENGLISH} FileVersion "${VERSION}"
VIAddVersionKey /LANG=${LANG_ENGLISH} FileDescription "Installer of crossroot"
VIAddVersionKey /LANG=${LANG_ENGLISH} CompanyName "The crossroot founders"
VIAddVersionKey /LANG=${LANG_ENGLISH} LegalCopyright Apache-2.0

; The variable Path of the machine. It may be longer than any string of NSIS, so it stays in memory of
; its own, between two semicolons, and Windows' functions work on it there.
!define ENVIRONMENT "SYSTEM\CurrentControlSet\Control\Session Manager\Environment"
!define MACHINE -2147483646 ; HKEY_LOCAL_MACHINE
!define READ_AND_SET 3 ; KEY_QUERY_VALUE | KEY_SET_VALUE
!define LONGEST 65000 ; bytes; Windows' limit for a variable is 32,767 UTF-16 units

; Adds $INSTDIR if ACTION is "add" and it is not there, takes it out wherever it is if it is "remove".
; $0 is 1 if Path is now as wanted.
!macro EditPath UN ACTION
Function ${UN}EditPath
    StrCpy $0 0
    System::Call 'advapi32::RegOpenKeyExW(p ${MACHINE}, w "${ENVIRONMENT}", i 0, i ${READ_AND_SET}, *p .r1) i .r2'
    ${If} $2 <> 0
        Return
    ${EndIf}
    StrCpy $3 2 ; type: REG_EXPAND_SZ, if there is none yet
    StrCpy $4 0 ; size
    System::Call 'advapi32::RegQueryValueExW(p r1, w "Path", p 0, *i .r3, p 0, *i .r4) i .r2'
    ${If} $2 = 2 ; no such value
        StrCpy $2 0
        StrCpy $3 2
        StrCpy $4 0
    ${EndIf}
    ${If} $2 <> 0
    ${OrIf} $3 < 1
    ${OrIf} $3 > 2
    ${OrIf} $4 > ${LONGEST}
        Goto close
    ${EndIf}
    IntOp $5 $4 + ${NSIS_MAX_STRLEN}
    IntOp $5 $5 + ${NSIS_MAX_STRLEN}
    IntOp $5 $5 + 16
    System::Alloc $5 ; ";", Path, ";", an entry, all zero
    Pop $6
    System::Alloc $5
    Pop $7
    System::Call 'kernel32::lstrcpyW(p r6, w ";")'
    ${If} $4 > 0
        IntPtrOp $8 $6 + 2
        System::Call 'advapi32::RegQueryValueExW(p r1, w "Path", p 0, p 0, p r8, *i r4r4) i .r2'
        ${If} $2 <> 0
            Goto free
        ${EndIf}
        System::Call 'kernel32::lstrcatW(p r6, w ";")'
    ${EndIf}
    StrLen $5 "$INSTDIR;"
    IntOp $5 $5 * 2
    StrCpy $9 0 ; whether anything changes
!if ${ACTION} == add
    System::Call 'shlwapi::StrStrIW(p r6, w ";$INSTDIR;") p .r8'
    ${If} $8 P= 0
        StrCpy $9 1
        System::Call 'kernel32::lstrcatW(p r6, w "$INSTDIR;")'
    ${EndIf}
!else
    again:
    System::Call 'shlwapi::StrStrIW(p r6, w ";$INSTDIR;") p .r8'
    ${If} $8 P<> 0
        StrCpy $9 1
        IntPtrOp $2 $8 + $5
        System::Call 'kernel32::lstrcpyW(p r7, p r2)'
        System::Call 'kernel32::lstrcpyW(p r8, p r7)'
        Goto again
    ${EndIf}
!endif
    ${If} $9 = 1
        ; Without the semicolons around it, and with the zero at its end.
        System::Call 'kernel32::lstrlenW(p r6) i .r4'
        ${If} $4 > 1
            IntOp $4 $4 - 1
            IntOp $8 $4 * 2
            IntPtrOp $8 $6 + $8
            System::Call '*$8(&i2 0)'
        ${EndIf}
        IntPtrOp $8 $6 + 2
        System::Call 'kernel32::lstrlenW(p r8) i .r5'
        IntOp $5 $5 + 1
        IntOp $5 $5 * 2
        ${If} $5 <= ${LONGEST}
            System::Call 'advapi32::RegSetValueExW(p r1, w "Path", i 0, i r3, p r8, i r5) i .r2'
            ${If} $2 = 0
                StrCpy $0 1
                SendMessage ${HWND_BROADCAST} ${WM_SETTINGCHANGE} 0 "STR:Environment" /TIMEOUT=5000
            ${EndIf}
        ${EndIf}
    ${Else}
        StrCpy $0 1
    ${EndIf}
    free:
    System::Free $7
    System::Free $6
    close:
    System::Call 'advapi32::RegCloseKey(p r1)'
FunctionEnd
!macroend
!insertmacro EditPath "" add
!insertmacro EditPath "un." remove

Function .onInit
    ReadRegDWORD $0 HKLM "Software\Microsoft\Windows NT\CurrentVersion" CurrentMajorVersionNumber
    ${If} $0 < 10 ; older ones have no such value
        MessageBox MB_OK|MB_ICONSTOP $(Old) /SD IDOK
        SetErrorLevel 2
        Abort
    ${EndIf}
FunctionEnd

Section
    SetShellVarContext all
    SetOutPath "$INSTDIR"
    File "${INPUT}\crossroot.exe"
    File "${INPUT}\LICENSE.txt"
    File "${INPUT}\THIRD-PARTY-NOTICES.txt"
    File "${INPUT}\crossroot.spdx.json"
    WriteUninstaller "$INSTDIR\uninstall.exe"
    WriteRegStr HKLM "${UNINSTALL}" DisplayName crossroot
    WriteRegStr HKLM "${UNINSTALL}" DisplayVersion "${VERSION}"
    WriteRegStr HKLM "${UNINSTALL}" DisplayIcon "$INSTDIR\crossroot.exe"
    WriteRegStr HKLM "${UNINSTALL}" Publisher "The crossroot founders"
    WriteRegStr HKLM "${UNINSTALL}" Comments $(About)
    WriteRegStr HKLM "${UNINSTALL}" InstallLocation "$INSTDIR"
    WriteRegStr HKLM "${UNINSTALL}" UninstallString '"$INSTDIR\uninstall.exe"'
    WriteRegStr HKLM "${UNINSTALL}" QuietUninstallString '"$INSTDIR\uninstall.exe" /S'
    WriteRegDWORD HKLM "${UNINSTALL}" EstimatedSize ${KIBIBYTES}
    WriteRegDWORD HKLM "${UNINSTALL}" NoModify 1
    WriteRegDWORD HKLM "${UNINSTALL}" NoRepair 1
    Call EditPath
    ${If} $0 <> 1
        DetailPrint "$(NoPath) $INSTDIR"
        MessageBox MB_OK|MB_ICONEXCLAMATION "$(NoPath)$\r$\n$INSTDIR" /SD IDOK
    ${EndIf}
SectionEnd

Section Uninstall
    SetShellVarContext all
    ClearErrors
    Delete "$INSTDIR\crossroot.exe"
    ${If} ${Errors}
        MessageBox MB_OK|MB_ICONSTOP $(InUse) /SD IDOK
        SetErrorLevel 2
        Abort
    ${EndIf}
    Delete "$INSTDIR\LICENSE.txt"
    Delete "$INSTDIR\THIRD-PARTY-NOTICES.txt"
    Delete "$INSTDIR\crossroot.spdx.json"
    Delete "$INSTDIR\uninstall.exe"
    RMDir "$INSTDIR"
    Call un.EditPath
    DeleteRegKey HKLM "${UNINSTALL}"
SectionEnd
