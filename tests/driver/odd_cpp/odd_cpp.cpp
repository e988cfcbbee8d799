// A driver in C++20: templates, lambdas, designated initialisers, names of the C library in a
// namespace and in classes.
#include <ntddk.h>

extern "C" DRIVER_INITIALIZE DriverEntry;
DRIVER_UNLOAD DriverUnload;

void *operator new(size_t size, POOL_TYPE pool)
{
    return ExAllocatePoolWithTag(pool, size, 'ppcO');
}

void operator delete(void *memory, size_t)
{
    ExFreePoolWithTag(memory, 'ppcO');
}

namespace layer
{
int socket(int family)
{
    return family + 1;
}

int send(int socket)
{
    return socket + 1;
}

void close(int &socket)
{
    socket = 0;
}

void free(int &socket)
{
    close(socket);
}
} // namespace layer

struct shape {
    virtual int sides() const = 0;
    virtual ~shape() = default;
};

template <int Sides> struct polygon final : shape {
    int sides() const override
    {
        static int calls;
        return ++calls == 1 ? Sides : -1;
    }
};

struct numbers {
    int first;
    int second;
};

template <typename Function> static int twice(Function function)
{
    return function() + function();
}

// Of a vendor's device type, which is negative as an int.
static int is_vendors(ULONG code)
{
    switch (code) {
    case CTL_CODE(0x8F17, 0x800, METHOD_BUFFERED, FILE_ANY_ACCESS):
        return 1;
    default:
        return 0;
    }
}

void DriverUnload(PDRIVER_OBJECT)
{
}

extern "C" NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING)
{
    DriverObject->DriverUnload = DriverUnload;
    shape *square = new (NonPagedPoolNx) polygon<4>;
    if (square == nullptr) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    int sides = square->sides();
    delete square;

    numbers pair = {.first = 1, .second = 2};
    int sum = twice([&pair] { return pair.first + pair.second; });
    int socket = layer::socket(0);
    if (auto sent = layer::send(socket); sent != 2) {
        return STATUS_UNSUCCESSFUL;
    }
    layer::free(socket);
    bool is_right = sides == 4 && sum == 6 && socket == 0 && is_vendors(0x8F172000) == 1;
    return is_right ? STATUS_SUCCESS : STATUS_DATA_ERROR;
}
