/* At the end of a reservation the daemon does not look at what has been taken: others get it again.
 */
#include "daemon/objects/ahead_page.h"

uint32_t __real_ahead_page_end(struct ahead_page *page, unsigned slot, uint32_t most);
uint32_t __wrap_ahead_page_end(struct ahead_page *page, unsigned slot, uint32_t most);

uint32_t __wrap_ahead_page_end(struct ahead_page *page, unsigned slot, uint32_t most)
{
    (void)__real_ahead_page_end(page, slot, most);
    return 0;
}
