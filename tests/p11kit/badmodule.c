/* SPDX-License-Identifier: Apache-2.0 */
/* A PKCS#11 module that serves one token and then does what the file beside it, badmodule.how, says:
 * "die" when modules are loaded, "crash" when a session is opened, "lie" in every count it gives, else
 * find objects without end. */
#include <dlfcn.h>
#include <p11-kit/pkcs11.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char how[16];

static CK_RV initialize(void *args)
{
    Dl_info info;
    char path[512];
    FILE *file = NULL;

    (void)args;
    if (dladdr(how, &info) == 0)
        return CKR_GENERAL_ERROR;
    (void)snprintf(path, sizeof(path), "%.*s.how", (int)(strlen(info.dli_fname) - strlen(".so")),
                   info.dli_fname);
    file = fopen(path, "r");
    if (file == NULL)
        return CKR_GENERAL_ERROR;
    if (fgets(how, sizeof(how), file) == NULL)
        how[0] = '\0';
    (void)fclose(file);
    if (strcmp(how, "die") == 0)
        abort();
    return CKR_OK;
}

static CK_RV finalize(void *args)
{
    (void)args;
    return CKR_OK;
}

static CK_RV get_info(CK_INFO *info)
{
    memset(info, 0, sizeof(*info));
    info->cryptokiVersion.major = 2;
    info->cryptokiVersion.minor = 40;
    return CKR_OK;
}

static CK_RV get_slot_list(CK_BBOOL present, CK_SLOT_ID *slots, CK_ULONG *count)
{
    (void)present;
    if (slots != NULL && *count == 0)
        return CKR_BUFFER_TOO_SMALL;
    if (slots != NULL)
        slots[0] = 1;
    *count = strcmp(how, "lie") == 0 ? 1000000 : 1;
    return CKR_OK;
}

static CK_RV get_slot_info(CK_SLOT_ID id, CK_SLOT_INFO *info)
{
    (void)id;
    memset(info, ' ', sizeof(*info));
    info->flags = CKF_TOKEN_PRESENT;
    return CKR_OK;
}

static CK_RV get_token_info(CK_SLOT_ID id, CK_TOKEN_INFO *info)
{
    (void)id;
    memset(info, ' ', sizeof(*info));
    memcpy(info->label, "bad\033[31m\n", 9);
    info->flags = CKF_TOKEN_INITIALIZED;
    return CKR_OK;
}

static CK_RV open_session(CK_SLOT_ID id, CK_FLAGS flags, void *app, CK_NOTIFY notify,
                          CK_SESSION_HANDLE *out)
{
    (void)id;
    (void)flags;
    (void)app;
    (void)notify;
    if (strcmp(how, "crash") == 0)
        abort();
    *out = 1;
    return CKR_OK;
}

static CK_RV close_session(CK_SESSION_HANDLE session)
{
    (void)session;
    return CKR_OK;
}

static CK_RV find_init(CK_SESSION_HANDLE session, CK_ATTRIBUTE *attrs, CK_ULONG count)
{
    (void)session;
    (void)attrs;
    (void)count;
    return CKR_OK;
}

/* Without an end, unless somebody counts. */
static CK_RV find(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE *out, CK_ULONG room, CK_ULONG *got)
{
    (void)session;
    for (CK_ULONG i = 0; i < room; i++)
        out[i] = i + 1;
    *got = strcmp(how, "lie") == 0 ? room + 100000 : room;
    return CKR_OK;
}

static CK_RV find_final(CK_SESSION_HANDLE session)
{
    (void)session;
    return CKR_OK;
}

static CK_RV get_attributes(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object, CK_ATTRIBUTE *attrs,
                            CK_ULONG count)
{
    (void)session;
    (void)object;
    for (CK_ULONG i = 0; i < count; i++) {
        if (attrs[i].pValue != NULL)
            memset(attrs[i].pValue, 0x30, attrs[i].ulValueLen);
    }
    return CKR_OK;
}

__attribute__((visibility("default"))) CK_RV C_GetFunctionList(CK_FUNCTION_LIST **out);

CK_RV C_GetFunctionList(CK_FUNCTION_LIST **out)
{
    static CK_FUNCTION_LIST list = {.version = {2, 40},
                                    .C_Initialize = initialize,
                                    .C_Finalize = finalize,
                                    .C_GetInfo = get_info,
                                    .C_GetSlotList = get_slot_list,
                                    .C_GetSlotInfo = get_slot_info,
                                    .C_GetTokenInfo = get_token_info,
                                    .C_OpenSession = open_session,
                                    .C_CloseSession = close_session,
                                    .C_FindObjectsInit = find_init,
                                    .C_FindObjects = find,
                                    .C_FindObjectsFinal = find_final,
                                    .C_GetAttributeValue = get_attributes};

    *out = &list;
    return CKR_OK;
}
