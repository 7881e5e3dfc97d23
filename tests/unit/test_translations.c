/* SPDX-License-Identifier: Apache-2.0 */
/* The Japanese catalogue of the command: can its formats be told apart in finished sentences? */
#include "report/catalogue.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

/* Writes what printf would, with arguments that are no text of the catalogue. False: nobody finishes such
 * a sentence before it is translated, or it has no words. */
static bool fill(struct xr_buf *out, const char *format)
{
    struct xr_piece piece;
    unsigned arguments = 0;
    bool words = false;
    const char *at = format;

    while (xr_piece_next(&piece, &at)) {
        for (size_t i = 0; piece.kind == XR_LITERAL && i < piece.len; i++)
            words = words || (piece.at[i] >= 'a' && piece.at[i] <= 'z');
        if (piece.kind == XR_LITERAL)
            xr_buf_add(out, piece.at, piece.len);
        else if (piece.width > 0 && piece.kind == XR_ANY_TEXT)
            return false;
        else if (piece.kind == XR_ANY_TEXT)
            xr_buf_fmt(out, "w%uq/x", ++arguments);
        else if (piece.kind == XR_HEX_NUMBER)
            xr_buf_fmt(out, "%0*x", (int)piece.width, 0x2au);
        else
            xr_buf_str(out, "7");
    }
    return *at == '\0' && words && format[0] != ' ' && strchr(format, '\n') == NULL &&
           strchr(format, '%') != NULL;
}

static size_t check(const struct xr_catalogue *catalogue, const char *text, const char *form)
{
    struct xr_buf english = {0}, japanese = {0};
    char *said = NULL;
    size_t checked = 0;

    if (fill(&english, text)) {
        (void)fill(&japanese, form);
        said = xr_tr_said(catalogue, english.data);
        cr_expect_str_eq(said, japanese.data, "\"%s\" became \"%s\"", english.data, said);
        checked = 1;
    }
    free(said);
    xr_buf_free(&english);
    xr_buf_free(&japanese);
    return checked;
}

Test(translations, every_format_is_found_again_in_a_finished_sentence)
{
    static unsigned char bytes[4u << 20];
    FILE *file = fopen(XR_JA_MO, "rb");
    struct xr_catalogue *catalogue = NULL;
    size_t len = 0, checked = 0;

    cr_assert_not_null(file, "%s is not there", XR_JA_MO);
    len = fread(bytes, 1, sizeof(bytes), file);
    (void)fclose(file);
    catalogue = xr_catalogue_new((struct xr_bytes){bytes, len});
    cr_assert_not_null(catalogue);
    for (size_t i = 0; i < catalogue->count; i++) {
        const struct xr_tr_entry *entry = &catalogue->items[i];

        checked += check(catalogue, entry->one, entry->forms);
        if (entry->many != NULL)
            checked += check(catalogue, entry->many, entry->forms);
    }
    cr_expect_geq(checked, 300u);
    xr_catalogue_free(catalogue);
}
