# find_package(recurve) defines these targets to link with:
#   recurve::recurve         the shared library
#   recurve::recurve_static  the static library, with the system libraries that it needs
#   recurve::core, recurve::core_static  the same without files and the trainer, for recurve_core.h
# All paths are relative to this file, so an installed tree can be moved.
get_filename_component(_recurve_prefix "${CMAKE_CURRENT_LIST_DIR}/../../.." ABSOLUTE)

macro(_recurve_library name file)
    if(NOT TARGET recurve::${name})
        add_library(recurve::${name} SHARED IMPORTED)
        set_target_properties(recurve::${name} PROPERTIES
            IMPORTED_LOCATION "${_recurve_prefix}/lib/lib${file}.so"
            INTERFACE_INCLUDE_DIRECTORIES "${_recurve_prefix}/include")
        add_library(recurve::${name}_static STATIC IMPORTED)
        set_target_properties(recurve::${name}_static PROPERTIES
            IMPORTED_LOCATION "${_recurve_prefix}/lib/lib${file}.a"
            INTERFACE_LINK_LIBRARIES "${ARGN}"
            INTERFACE_INCLUDE_DIRECTORIES "${_recurve_prefix}/include")
    endif()
endmacro()

_recurve_library(recurve recurve @LIBS@)
_recurve_library(core recurve-core @CORE_LIBS@)

foreach(_recurve_component IN LISTS recurve_FIND_COMPONENTS)
    if(NOT TARGET recurve::${_recurve_component})
        set(recurve_FOUND FALSE)
        set(recurve_NOT_FOUND_MESSAGE "recurve has no component ${_recurve_component}; it has recurve and core")
    endif()
endforeach()

unset(_recurve_prefix)
