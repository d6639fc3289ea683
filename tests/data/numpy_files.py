#!/usr/bin/env python3
"""Writes the files of NumPy's in this folder, which tests read: every element type and order, each version of the format."""
import io
import os
import zipfile
import numpy as np

os.chdir(os.path.dirname(os.path.abspath(__file__)))
arrays = {}
for kind in ["b1", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f2", "f4", "f8"]:
    low = 0 if kind[0] in "bu" else -2
    values = np.arange(6).reshape(2, 3) + low
    if kind[0] == "f":
        values = values / 8
    for order in "<>":
        name = kind + ("" if order == "<" else "_big")
        if kind[1] == "1" and order == ">":
            continue
        arrays[name] = values.astype(order + kind)
        arrays[name + "_fortran"] = np.asfortranarray(arrays[name])
arrays["halves"] = np.array([0, -0.0, 1, 65504, 2**-24, 2**-14, np.inf, -np.inf], "f2")
arrays["number"] = np.array(2.5)
arrays["truth"] = np.array(True)
arrays["text"] = np.array("Tang 詩 𝄞")
arrays["words"] = np.array(["a", "", "詩"])
arrays["words_big"] = arrays["words"].astype(">U3")
arrays["ascii"] = np.array([b"ab", b"c"])
arrays["empty"] = np.zeros((0, 3))
arrays["axes"] = np.arange(8.0).reshape(1, 2, 1, 2, 1, 2, 1, 1)
arrays["net.hidden.W"] = np.ones((1, 2))
arrays["net.layers.1"] = np.array([2.0])
arrays["net.layers.0"] = np.array([1.0])
np.savez("numpy.npz", **arrays)
np.savez_compressed("numpy_deflated.npz", **arrays)
np.savez("numpy_flat.npz", np.arange(3), **{"a": np.ones(1), "a.b": np.ones(2), "dense/kernel:0": np.ones(1)})
for version in [1, 2, 3]:
    with open("version%d.npy" % version, "wb") as f:
        np.lib.format.write_array(f, np.arange(3.0), (version, 0))

class Stream(io.RawIOBase):
    """Cannot seek: zipfile then writes the sizes of an entry behind it."""

    def __init__(self, path):
        self.file = open(path, "wb")

    def writable(self):
        return True

    def write(self, data):
        return self.file.write(data)

    def flush(self):
        if not self.file.closed:
            self.file.flush()


stream = Stream("streamed.npz")
np.savez_compressed(stream, W=np.ones(3), b=np.float32(2))
stream.file.close()
# as if it had more than 4 GB and 65535 entries
zipfile.ZIP64_LIMIT, zipfile.ZIP_FILECOUNT_LIMIT = 1, 1
np.savez("zip64.npz", W=np.ones(3), b=np.float32(2))
zipfile.ZIP64_LIMIT, zipfile.ZIP_FILECOUNT_LIMIT = (1 << 31) - 1, (1 << 16) - 1
# what tg must write to the byte
np.savez_compressed("same.npz", **{
    "double": np.array([[0.5, 1, 2], [3, 4, 5]]),
    "single": np.float32([0.5, 1]),
    "bool": np.array([True, False]),
    "byte": np.uint8([1, 255]),
    "int32": np.int32([1, -2]),
    "int64": np.int64([1, -2]),
    "number": np.array(2.5),
    "truth": np.array(True),
    "text": np.array("詩x"),
    "none": np.zeros((0, 3)),
    "long": np.zeros(123456, "u1"),
    "eight": np.ones((1, 1, 1, 1, 1, 1, 1, 2)),
})
# whole numbers of which a double does not hold all
np.save("identifiers.npy", np.array([2**53 + 1, 2**53, 2**53 + 1, 5]))
