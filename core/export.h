#pragma once

/// Marks what a shared library of Espalier exports; everything else is hidden.
#define ESPALIER_API [[gnu::visibility("default")]]
