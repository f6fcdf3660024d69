// SPDX-License-Identifier: Apache-2.0
// Operands are buffer device addresses in push constants. Every shader includes this file right after #version.
// Indices are below 2^31 elements (SPIR-V reads them as signed); the recorder sees to it.
#extension GL_EXT_buffer_reference : require
#extension GL_EXT_buffer_reference_uvec2 : require
#extension GL_EXT_control_flow_attributes : require

layout(buffer_reference, std430, buffer_reference_align = 4) buffer F32 { float at[]; };
layout(buffer_reference, std430, buffer_reference_align = 16) buffer F32x4 { vec4 at[]; };
layout(buffer_reference, std430, buffer_reference_align = 4) buffer I32 { int at[]; };
layout(buffer_reference, std430, buffer_reference_align = 4) buffer U32 { uint at[]; };

// Whether an optional operand is there: absent ones have address 0.
#define PRESENT(reference) (any(notEqual(uvec2(reference), uvec2(0))))

// An F32 operand that starts at a multiple of 16 bytes, as quads. By way of uvec2: SwiftShader crashes on a direct
// cast.
#define QUADS(reference) F32x4(uvec2(reference))
