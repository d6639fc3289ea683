/* The MNIST data set of handwritten digits, and sets in the same four files (Fashion-MNIST). */
#ifndef TG_RUNTIME_IO_MNIST_H
#define TG_RUNTIME_IO_MNIST_H

#include "runtime/rt.h"

/* Images are single in 0..1, one row a picture: [n, 784]; labels are one-hot single, [n, 10]. The
 * first twelfth of the training files (5000 of 60000) is the validation part, as in TensorFlow's
 * loader; the two parts share one buffer. */
typedef struct tg_mnist {
    tg_tensor *train_images, *train_labels;
    tg_tensor *validation_images, *validation_labels;
    tg_tensor *test_images, *test_labels;
} tg_mnist;

/* Reads train-images-idx3-ubyte, train-labels-idx1-ubyte and the two t10k files from the folder,
 * each plain or with .gz. *out is owned by the caller; on false it is empty. */
bool tg_mnist_load(tg_rt *rt, const char *dir, tg_mnist *out);
void tg_mnist_free(tg_mnist *m);

#endif
